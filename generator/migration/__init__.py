"""From an install of upstream's KServe to kserve-lite: its values, and the commands that adopt it."""
