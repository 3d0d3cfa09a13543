"""What the kernels of every room are made with: functions that numba compiles ahead of use.

`compiled` says how they are compiled and kept, `sources` what one that was kept is made of. `memory` reaches bytes by
their addresses, `words` looks at eight of a text at once; `json_fields` reads the values of plain JSON, `base64` reads
and writes bytes as text.
"""
