"""The local stack: `fenghuo up` runs the whole chain on one machine.

It starts the products as child processes through their public commands and talks to them over HTTP. It
imports no product, so what works here works with each product installed alone.

    cli → app → plan (which children, which files) → supervisor → parts → process
                page (the first web page), messages, progress, status
"""
