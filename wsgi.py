"""What the production server loads: the application, and the scheduler in the one process that holds its lock."""

import gc

from cpms import create_app, scheduler

app = create_app()
scheduler.start(app)

# What was made at start lives as long as the process: the collector need not walk it again and again.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
