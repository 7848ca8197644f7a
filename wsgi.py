"""What the production server loads: the application, its database up to date, and the scheduler."""

import gc
import os

from config import Config
from cpms import cli, create_app, scheduler

serving = cli.begin_to_serve(Config.from_env().instance)  # held as long as the process lives
app = create_app()
if os.environ.get("SERVER_SOFTWARE", "").startswith("gunicorn/"):  # another server's parent may be somebody's shell
    app.config["CPMS_START_AGAIN"] = cli.start_again
with app.app_context():
    cli.bring_up_to_date()
scheduler.start(app)

# What was made at start lives as long as the process: the collector need not walk it again and again.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
