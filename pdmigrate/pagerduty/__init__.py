"""The source, in PagerDuty's words. Reads only: nothing here can change anything in PagerDuty."""
