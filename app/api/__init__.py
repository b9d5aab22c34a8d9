"""HTTP only: requests in, answers and problems out."""
