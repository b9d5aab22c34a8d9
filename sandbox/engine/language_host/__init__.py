"""The Python language host `pulumi-language-python`, for machines that have no official one."""
