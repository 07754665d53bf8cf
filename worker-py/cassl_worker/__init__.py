"""The Python worker of cassl: trains, predicts with and exports detectors."""

import os

# OpenMP reads this once, when torch is loaded. Threads that spin while they wait for others make training many times
# slower as soon as anything else wants a core, be it the loading of images.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
