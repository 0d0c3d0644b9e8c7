"""The first web page: an overview of the machine, its containers, alerts, messages and log lines.

gather (asks the parts) → contexts (what a template gets) → views (routes) + templates/ + static/
"""
