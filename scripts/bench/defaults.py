"""The preset `light` and the solver of cassl.yaml as the worker is given them, on three levels and in float32."""

from cassl.v1.task_pb2 import AugmentationConfig, DetectorConfig, LearningRateFactors, SolverConfig


def light(input_size: tuple[int, int]) -> DetectorConfig:
    """input_size: (width, height) in px."""
    return DetectorConfig(
        family="light",
        backbone="tf_efficientnet_lite0",
        backbone_weights="imagenet",
        input_width_px=input_size[0],
        input_height_px=input_size[1],
        fpn_channels=64,
        head_convolutions=2,
        strides_px=[8, 16, 32],
    )


def solver(iterations: int, *, images_per_batch: int = 8, lr_ramp_iterations: int = 30) -> SolverConfig:
    """Without checkpoints."""
    return SolverConfig(
        iterations=iterations,
        images_per_batch=images_per_batch,
        gradient_accumulation=1,
        learning_rate=0.002,
        lr_ramp_iterations=lr_ramp_iterations,
        weight_decay=0.05,
        gradient_clip_norm=10,
        ema_decay=0.99,
        frozen_stages=2,
        lr_factors=LearningRateFactors(backbone=0.25, fpn=1, box_tower=1, classification_tower=1, class_predictor=1),
        precision="float32",
        checkpoint_every_iterations=1 << 20,
        augmentation=AugmentationConfig(flip_probability=0.5, min_zoom=0.75, max_zoom=1.25, color_jitter=0.2),
    )
