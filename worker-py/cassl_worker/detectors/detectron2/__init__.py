"""The backend detectron2: the only place that imports the library, which users install themselves.

`own.py` has models of cassl's own, made of detectron2's parts on cassl's backbones; `configured.py` builds what a
configuration of detectron2 says. Both become detectors in `dense.py` (one stage) and `regions.py` (two stages).
"""
