"""Who calls: from the authorization header to a Principal, or the Reason why not."""
