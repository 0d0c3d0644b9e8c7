"""Who is told what, and when: the route tree, the groups, and the dispatcher that keeps their time.

Nothing here sends: a due group is handed to a callable.
"""
