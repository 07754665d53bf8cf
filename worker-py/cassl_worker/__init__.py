"""The Python worker of cassl: trains, predicts with and exports detectors."""

import os

# OpenMP reads this once, when torch is loaded. Threads that spin while they wait make training many times slower as soon
# as anything else, such as the loading of images, wants a core.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
