"""The plugins that come with policy-engine. Each subpackage is one, and none imports another."""
