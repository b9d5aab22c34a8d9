"""Microsoft Entra ID: principals, their tokens, whom they trust, and the part of Graph that names them."""
