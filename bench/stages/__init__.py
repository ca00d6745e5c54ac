"""The stages of the side-by-side run: one module a kind of work, ours and the peers' code for it in the same file.

A module is imported by our Python and by those of the peers, so all that is not of the standard library is imported
within the function that needs it.
"""
