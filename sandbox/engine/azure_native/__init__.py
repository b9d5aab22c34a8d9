"""The Pulumi provider `azure-native`: translates as the official one does and talks plain ARM.

It stands in where the official plugin cannot be had; with a normal Pulumi installation it is not used.
"""
