passwd last gltoken
group last gltoken
shadow last gltoken
