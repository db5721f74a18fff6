"""HTTP: routes as data, one envelope, and the description derived from the same objects."""
