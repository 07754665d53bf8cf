"""The Python worker of cassl: trains, predicts with and exports detectors."""
