"""The data sets published last: a page, and a link to it in the head of every page."""

from portal.extension import Extension, NavigationItem
from xiangyun_newest import pages

extension = Extension(
    name="newest",
    routes=(pages.blueprint,),
    navigation=(NavigationItem("最新发布", "newest.newest"),),
)
