"""`python -m portal` is the command `xiangyun`."""

from portal.cli import main

main()
