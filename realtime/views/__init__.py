"""Views: the present of watched boards and dashboards, and what their readers are told."""
