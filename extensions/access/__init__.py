"""Conditionally open APIs: application, review, credentials, calls (Measures, art. 28; flow F5)."""

from portal.extension import Extension

extension = Extension(name="access")
