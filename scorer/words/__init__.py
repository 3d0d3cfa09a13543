"""From a micro-batch decided in columns to the JSON of its decisions, without an object for each.

A kernel writes decisions that have no more to say than numbers and features. One with reasons is made as a `Decision`
and encoded, in its place; where another model's score stands beside, or JSON escapes one of the ids, all that are
written together are. Both write the same bytes.

`decided` are the columns, `answers` puts them into words, `written` is what it makes, `columns` is the way into the
kernel, `kernel` puts the pieces one behind the other.
"""
