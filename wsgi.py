"""What the production server loads: the application, its database up to date, and the scheduler."""

import gc

from cpms import cli, create_app, scheduler

app = create_app()
with app.app_context():
    cli.bring_up_to_date()
scheduler.start(app)

# What was made at start lives as long as the process: the collector need not walk it again and again.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
