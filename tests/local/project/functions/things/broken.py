"""Does not import."""

import a_package_nobody_installed  # type: ignore[import-not-found]  # noqa: F401
