"""Language models: providers behind one interface."""
