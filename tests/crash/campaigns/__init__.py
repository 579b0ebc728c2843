"""One module for each way to fail: kill, power, sync, sweep, mutate, full."""
