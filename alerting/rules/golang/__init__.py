"""A small interpreter of Go's text/template, for the templates in Prometheus' rule files.

`lexer` cuts a text into tokens, `parser` makes a tree and refuses what can't run, `interpreter` walks the tree,
`functions` has what a template may call, `printing` writes values the way Go's fmt does.

A template can reach nothing but the data it is given: no file, no network, no environment, no Python object.
It can't loop without end either: `range` goes over what is there, and there is no recursion. Left out are
`define`, `template`, `block`, `break`, `continue` and calls of methods; each is refused when the file is loaded.
"""
