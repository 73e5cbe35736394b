"""The rules, the findings of a night, and the life of every flag."""
