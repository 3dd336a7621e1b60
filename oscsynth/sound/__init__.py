"""Arrays and samples: from a decoder's magnitudes to sound. Knows no bytes from outside, no sockets, no clock and no YAML.

Read in this order: `decoder` (a file becomes a function), `spectrum` (magnitudes moved to a pitch, a rate and a loudness), `phase` (the stored
noise), `tonal` (phases for a tone; `lobes` and `sway` are its parts), `overlap_add` (the instant response), `voices` (a loaded patch), `drone`
and `bank` (what it sounds, with a gate or with notes), `deck` (one patch sounding), `part` (one after the other, faded), `output` (what can
never hurt), `budget`, `planner` and `overload` (what there is time for), `engine` (all of it, at samples).
"""
