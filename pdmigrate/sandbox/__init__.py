"""The embedded pair: a small PagerDuty and a small Harness on loopback, and the company that lives in them.

It imports nothing from the rest of pdmigrate, so that nothing here can prove pdmigrate right by sharing its mistakes.
"""
