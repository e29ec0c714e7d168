"""Models of participation, one noun a file."""

from extensions.participation.models.comment import EntryComment, EntryRating
from extensions.participation.models.demand import DataDemand, DemandVote
from extensions.participation.models.follow import EntryFollow
from extensions.participation.models.reuse import Reuse, ReuseSource
from extensions.participation.models.topic_follow import TopicFollow

__all__ = [
    "DataDemand",
    "DemandVote",
    "EntryComment",
    "EntryFollow",
    "EntryRating",
    "Reuse",
    "ReuseSource",
    "TopicFollow",
]
