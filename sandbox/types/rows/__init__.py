"""The rows of the types table, one module per part of Azure."""
