"""Settings of the whole suite."""

from __future__ import annotations

import os

from hypothesis import settings

# A suite that is run to decide something gives the same answer every time. To look for new
# counterexamples: HYPOTHESIS_PROFILE=explore ./dev test
settings.register_profile("same", derandomize=True, print_blob=True)
settings.register_profile("explore", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
