#define AD_IMPLEMENTATION
#include "../ad.h"
int main(void){ ad_tape*t=ad_tape_create(NULL);
 ad_var w=ad_variable(t,1),x=ad_variable(t,2),y=ad_variable(t,3);
 ad_var d=ad_sub(ad_mul(w,x),y); ad_var l=ad_mul(d,d);
 printf("%d %g %g %g %g\n",ad_backward(l),ad_value(l),ad_grad(w),ad_grad(x),ad_grad(y));
 ad_var z=ad_fma(ad_mul(x,3.0),2,ad_div(1,y)); ad_backward(z); printf("%g %g %g\n",ad_value(z),ad_grad(x),ad_grad(y));
 if(ad_gt(x,1)) printf("gt ok nodes %zu\n",ad_tape_nodes(t));
 ad_tape_destroy(t); return 0;}
