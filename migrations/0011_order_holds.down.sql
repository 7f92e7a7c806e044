drop table order_holds;
