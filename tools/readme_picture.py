"""Draw data/course.png, the picture at the top of the README: python tools/readme_picture.py."""

from pathlib import Path

import numpy as np

from diffedu.classroom.plots import NoiseFrames, TourFrames, png

MOMENTS = (0, 20, 50, 75, 100)

tour, noise = TourFrames(), NoiseFrames()
rows = [tour(moment).rgb for moment in MOMENTS]
rows.append(noise(t=400, schedule="cosine", image="china").rgb)
width = max(row.shape[1] for row in rows)
centred = []
for row in rows:
    gap = width - row.shape[1]
    sides = ((4, 4), (gap // 2, gap - gap // 2), (0, 0))
    centred.append(np.pad(row, sides, constant_values=255))
Path(__file__).resolve().parent.parent.joinpath("data/course.png").write_bytes(
    png(np.concatenate(centred))
)
