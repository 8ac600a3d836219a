"""Settings of the whole suite."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

from hypothesis import settings

# What programs under test keep for the user is kept beside, and goes with the tests.
_cache = tempfile.mkdtemp(prefix="cachewise-tests-")
atexit.register(shutil.rmtree, _cache, ignore_errors=True)
os.environ["XDG_CACHE_HOME"] = _cache

# A suite that is run to decide something gives the same answer every time. To look for new
# counterexamples: HYPOTHESIS_PROFILE=explore ./dev test
settings.register_profile("same", derandomize=True, print_blob=True)
settings.register_profile("explore", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
