"""From a micro-batch's JSON to columns, without an object for each event.

A kernel reads messages as most producers write them: one flat object of the transaction's own fields, ASCII without
escapes, in any order. Whatever else JSON allows is left to the decoder of `streams.codec`, which also says what is
wrong with a message that is none; what both read, they read alike.

`layout` names fields and limits, `degrees` reads a position, `names` finds the codes of ids by their bytes, `rows` puts
them together, `reader` is the way in.
"""
