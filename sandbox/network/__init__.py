"""Networks that say no: where a client stands, what a name means there, which way packets go, who is let in.

`sandbox.azure.network` answers for the resources; here they take effect. The whole is computed from what is
stored (`plan`) and put in force at once (`fabric`), so there is no order in which resources must come and go.
"""
