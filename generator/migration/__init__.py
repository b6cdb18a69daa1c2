"""From an install of upstream's KServe to kserve-lite: its values, and how it is adopted."""
