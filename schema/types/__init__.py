"""GraphQL types, enumerations, scalars and inputs."""
