-- Orders a key may place and see, by their source; empty: all of them.
alter table api_keys add column allowed_sources text[] not null default '{}';
