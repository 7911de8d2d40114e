"""Where each number of a track stands in its row, and where each number of a plot stands in its row.

While it's worked on, one track is one contiguous row of 128 float64 (1 kB, 16 cache lines); how the store keeps it, in
less, stands in `records`. Its states are in ECEF: one frame for the whole Earth, without poles, seams or re-anchoring.
What is local (level turns, noise that differs upwards, height) needs only the unit vector "up", which costs one square
root.

    0 ................ 108 ........ 112 ............................... 128
    | 4 models x 27    | 4 mode     | existence, pressure offset, ...   |
    |  x 6, P 21       | probs      |                                   |

P is packed as the lower triangle, row by row: P[a, b], b <= a, stands at a (a + 1) / 2 + b.
"""

from typing import Final

MODELS: Final = 4  # straight, left turn, right turn, agile
STRAIGHT: Final = 0
LEFT: Final = 1
RIGHT: Final = 2
AGILE: Final = 3

STATE: Final = 6  # p_ecef [m], v_ecef [m/s]
PACKED: Final = 21
MODEL: Final = STATE + PACKED

MODE: Final = MODELS * MODEL  # 108: mode probabilities
EXISTENCE: Final = MODE + MODELS  # 112
D_BARO: Final = 113  # m, h_ell - h_baro of this target's air, learnt where both are reported
VAR_BARO: Final = 114  # m², of D_BARO
VAR_V: Final = 115  # m²/s², how far reported velocities are off beyond what they claim, per axis; below 0: less; `pace`
VAR_POS: Final = 116  # m², learnt variance of reported positions that bring no accuracy, per axis; 0 before the first
COUNT_POS: Final = 117  # plots it rests on, each as far as it tells
VAR_COMMON: Final = 118  # m², what such positions have in common and no filtering takes away; shown, not filtered with
H_MEAN: Final = 119  # m, where an unmeasured height is assumed to be, by the range of the last plot; with ...
H_VAR: Final = 120  # m², ... its variance; 0 where no radar plot without height has told
SHARED: Final = 121  # above 0 where another sensor took part of late, above OTHERS one of another technology: ...
OTHERS: Final = (
    1.0  # ... so much with a plot of another sensor than the last one's, twice that of another technology ...
)
SHARED_FADES: Final = 0.02  # ... and so much less with each further plot of the same
TURN: Final = 122  # rad/s, counter-clockwise positive: how fast the course has turned of late
SCALE_POS: Final = 123  # learnt variance of positions that bring an accuracy, over the one they claim; 0: as claimed
VAR_TIME: Final = 124  # s², learnt jitter of the times of reported positions, beyond the scatter across the course
NUMBERS_END: Final = 125
ROW: Final = 128

# A track in the store, see `records`: columns of float64 ...
HELD_MODE: Final = MODELS * STATE  # 24
HELD_NUMBER: Final = HELD_MODE + MODELS  # the track's own, a whole number
HELD_LAST_P: Final = HELD_NUMBER + 1  # 3, m, ECEF, place of the last plot; 0 0 0 where it had none
# ... and of float32 in the same memory
FACTORS: Final = 64  # of the covariances
NUMBERS: Final = FACTORS + MODELS * PACKED - D_BARO  # number k of the row, from D_BARO on, stands at NUMBERS + k
RECORD: Final = 80  # words of 8 bytes: ten lines of the cache

# The summary of a track: what the spatial index reads, float32, half a cache line.
S_POSITION: Final = 0  # 3, m, ECEF, mean over models
S_VELOCITY: Final = 3  # 3, m/s
S_SIGMA_P: Final = 6  # m, root of the trace of the horizontal position covariance
S_SIGMA_V: Final = 7  # m/s
SUMMARY: Final = 8

# A registered plot: bias taken off, placed in ECEF, with the variances to be used.
POLAR: Final = 0  # kinds of plots
POSITION: Final = 1
BEARING: Final = 2
MESSAGE: Final = 3  # an address and what its transponder says, no place

# Of a range and an azimuth and nothing else all that a look reads stands in the first two of its four lines.
Z_KIND: Final = 0
Z_P: Final = (
    1  # 3, m, ECEF: the position at the measured, reported or assumed height; of messages a mark, see `register`
)
Z_RANGE: Final = 4  # m
Z_SIN: Final = 5  # sine of azimuth
Z_COS: Final = 6
Z_VAR_RANGE: Final = 7  # m²
Z_VAR_AZIMUTH: Final = 8  # rad²
Z_LOG_CLUTTER: Final = 9  # log of the density of false plots in the space that is measured, as it is ...
Z_LOG_DECLARED: Final = 10  # ... and as the sensor declares it
Z_LAG: Final = 11  # s, how late the times of its sensor are, as learnt; see `latency`
Z_ELEVATION: Final = 12  # rad, NaN
Z_RANGE_RATE: Final = 13  # m/s, NaN
Z_H: Final = 14  # m, geometric height where reported, NaN
Z_H_BARO: Final = 15  # m, NaN
Z_RADIUS: Final = 16  # m, four sigma of the position on the ground
Z_VAR_P: Final = 17  # m², reported positions, per horizontal axis
Z_LEARN: Final = 18  # 1 where Z_VAR_P is the sensor's general figure, not the plot's own
Z_V_EAST: Final = 19  # m/s, NaN
Z_V_NORTH: Final = 20
Z_V_UP: Final = 21  # m/s, reported climb, NaN
Z_VAR_V: Final = 22
Z_TURN: Final = 23  # rad/s, counter-clockwise, reported turn of the course, NaN; only with positions and in messages
Z_VAR_H: Final = 24  # m²
Z_VAR_ELEVATION: Final = 25
Z_VAR_RANGE_RATE: Final = 26
Z_VAR_LAG: Final = 27  # s², of Z_LAG
PLOT: Final = 32  # whole lines of the cache

# Its place by itself, half a line of the cache where the row is four: what's read of all plots, one after another.
PLACE_P: Final = 0  # 3, as Z_P
PLACE_RADIUS: Final = 3  # as Z_RADIUS
PLACE: Final = 4

# What a glance reads of a plain plot, one line of the cache: see `briefs`.
B_RANGE: Final = 0  # m
B_SIN: Final = 1  # sine of azimuth
B_COS: Final = 2
B_VAR_RANGE: Final = 3  # m²
B_VAR_AZIMUTH: Final = 4  # rad²
B_LOG: Final = 5  # log of what a likelihood is multiplied with: over the density of false plots, and 2 pi
B_TIME: Final = 6  # s, after the look's first plot, its sensor's lag taken off
B_SENSOR: Final = 7  # number of the sensor

# What the track that takes it reads of it besides, likewise.
A_PLACE: Final = 0  # 3, as Z_P
A_SINCE: Final = 3  # ns, a whole number, after the look's first plot
A_TECHNOLOGY: Final = 4  # a whole number
A_RANGE: Final = 5  # m, as measured
A_AZIMUTH: Final = 6  # rad, as measured

# What a sensor's measurements are worth: a row of `reports.Stations.traits`.
SENSOR_RANGE_MIN: Final = 0  # m
SENSOR_RANGE_MAX: Final = 1
SENSOR_LOG_POLAR: Final = 2  # log of the density of false plots a m and rad ...
SENSOR_LOG_POSITION: Final = 3  # ... and a m²
SENSOR_VAR_RANGE: Final = 4  # m²
SENSOR_VAR_AZIMUTH: Final = 5  # rad²
SENSOR_VAR_ELEVATION: Final = 6  # rad², NaN
SENSOR_VAR_RANGE_RATE: Final = 7  # m²/s², NaN
SENSOR_VAR_POS: Final = 8  # m², of a reported position that brings no accuracy, per horizontal axis
SENSOR_BIAS_RANGE: Final = 9  # m
SENSOR_BIAS_AZIMUTH: Final = 10  # rad
SENSOR_HEIGHT: Final = 11  # m, of the site
TRAITS: Final = 12

# Motion parameters, one flat array.
M_Q: Final = 0  # 4, m²/s³ per model, horizontal, across the course
M_Q_UP: Final = 4  # 4
M_SHARE: Final = 8  # 4, long-run shares of the modes
M_RATE: Final = 12  # 1/s, of forgetting the mode
M_TURN_RATE: Final = 13  # rad/s
M_TURN_ACCELERATION: Final = 14  # m/s²
M_H_MEAN: Final = 15  # m, an unmeasured height: mean ...
M_H_VAR: Final = 16  # ... and variance
M_CLIMB_VAR: Final = 17  # m²/s², most that a vertical speed can be uncertain, its mean being 0
M_TURN_LEAST: Final = 18  # rad/s, least turn of the course that a turn model follows
M_TURN_SECONDS: Final = 19  # s, memory of TURN
M_Q_ALONG: Final = 20  # 4, m²/s³ per model, along the course; M_Q is that across it
MOTION: Final = 24
