"""From stamped decisions to rows and audit records, without an object for each.

A kernel reads messages as most scorers write them: one flat object of the decision's own fields, ASCII without escapes,
in any order, without reasons, customers or a shadow's score. Whatever else JSON allows is left to the decoder of
`streams.codec`, which also says what is wrong with a message that is none; what both read, they read alike.

`layout` names fields and limits, `numbers` looks at one number, `rows` puts fields together; `blake2b` hashes,
`records` makes audit records of rows and chains them; `texts` holds many byte strings as one, `reader` is the way in.
"""
