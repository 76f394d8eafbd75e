"""Who may do what, everywhere: table.txt says it, the tests ask the studio.

Every page, operation, view of the administration and socket has rows in table.txt: one for each
method. A new route fails the tests until it has one; see the head of the table.
"""
