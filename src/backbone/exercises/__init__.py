"""Exercises: a reader writes a function, and a check says what is right and what was misunderstood.

Each chapter has a module with its exercises; ``check`` is how they are made, ``measures`` what is measured on functions
whose right answers differ, ``report`` what they say.
"""
