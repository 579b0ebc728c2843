"""Support of the end-to-end tests: a broker process, peers whose every octet is under control, and test cases."""
