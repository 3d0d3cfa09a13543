"""From a micro-batch decided in columns to the JSON of its decisions, without an object for each.

A kernel writes decisions that have no more to say than numbers and features. What else there is (reasons, another
model's score beside, ids that JSON escapes) is made as a `Decision` and encoded, in its place. Both write the same
bytes.

`decided` are the columns, `answers` puts them into words, `written` is what it makes, `columns` is the way into the
kernel, `kernel` puts the pieces one behind the other, `digits` writes bytes as base64, `stores` puts words into memory.
"""
