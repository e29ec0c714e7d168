"""An action of the Action API: how many public data sets each theme has."""

from portal.extension import Extension
from xiangyun_theme_count.action import THEME_COUNT

extension = Extension(name="theme_count", actions=(THEME_COUNT,))
