"""Load tests: who calls the service, how often, and whether it then keeps its service levels."""
