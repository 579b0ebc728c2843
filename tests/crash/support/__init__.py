"""Support of the crash campaigns: load, its history, the checker, the broker under test, disks that fail."""
