"""The proof: who is on call and who is paged, before and after, and what explains a difference."""
