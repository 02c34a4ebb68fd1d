"""How good is it, and how sure are we? Arrays in, numbers with intervals out."""
