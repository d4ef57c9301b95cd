//! What every HTTP function shares: problems, principals and scopes, bodies, cursors, request ids.
